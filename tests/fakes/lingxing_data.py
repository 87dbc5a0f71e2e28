"""A small company's shops and orders, the same at every run: made up, but of the shape that Lingxing has."""

import datetime
import random

SELLERS = [
    {"sid": 101, "mid": 1, "name": "云杉家居-US", "seller_id": "A1ROCKDOVEUS01", "account_name": "云杉家居",
     "seller_account_id": 11, "region": "NA", "country": "美国", "has_ads_setting": 1, "status": 1,
     "marketplace_id": "ATVPDKIKX0DER", "currency": "USD", "channel": "Amazon.com"},
    {"sid": 102, "mid": 4, "name": "云杉家居-DE", "seller_id": "A1ROCKDOVEEU01", "account_name": "云杉家居",
     "seller_account_id": 12, "region": "EU", "country": "德国", "has_ads_setting": 0, "status": 1,
     "marketplace_id": "A1PA6795UKMFR9", "currency": "EUR", "channel": "Amazon.de"},
    {"sid": 103, "mid": 10, "name": "北辰户外-JP", "seller_id": "A1ROCKDOVEJP01", "account_name": "北辰户外",
     "seller_account_id": 13, "region": "JP", "country": "日本", "has_ads_setting": 1, "status": 1,
     "marketplace_id": "A1VC38T7YXB528", "currency": "JPY", "channel": "Amazon.co.jp"},
]  # fmt: skip

PRODUCTS = [
    ("B0ROCK0001", "LAMP-OAK-01", "橡木台灯（暖光）", 39.99),
    ("B0ROCK0002", "RACK-BAM-03", "竹制三层置物架", 54.50),
    ("B0ROCK0003", "TENT-2P-GRN", "双人帐篷“轻风” 墨绿", 129.00),
    ("B0ROCK0004", "CUP-STL-500", "保温杯 500ml", 19.90),
    ("B0ROCK0005", "MAT-YOGA-6", "瑜伽垫 6mm", 27.00),
]

STATUSES = ["Shipped"] * 7 + ["Pending", "Unshipped", "Canceled"]


def seller_lists():
    return [{k: v for k, v in seller.items() if k not in ("currency", "channel")} for seller in SELLERS]


def _order(seller, day, number, chance):
    asin, sku, name, price = chance.choice(PRODUCTS)
    quantity = chance.choice([1, 1, 1, 2, 3])
    status = chance.choice(STATUSES)
    at = datetime.datetime.combine(day, datetime.time(chance.randrange(24), chance.randrange(60), chance.randrange(60)))
    total = round(price * quantity * (150 if seller["currency"] == "JPY" else 1), 2)
    return {
        "sid": seller["sid"],
        "seller_name": seller["name"],
        "amazon_order_id": f"{seller['sid']}-{day:%Y%m%d}0-{number:07d}",
        "order_status": status,
        "order_total_amount": f"{total:.2f}",
        "order_total_currency_code": seller["currency"],
        "fulfillment_channel": chance.choice(["AFN", "AFN", "MFN"]),
        "sales_channel": seller["channel"],
        "purchase_date_local": at.strftime("%Y-%m-%d %H:%M:%S"),
        "last_update_date": (at + datetime.timedelta(hours=5)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "is_return": 0,
        "is_mcf_order": 0,
        "item_list": [{"asin": asin, "seller_sku": sku, "local_sku": sku, "local_name": name,
                       "quantity_ordered": quantity, "order_status": status}],
    }  # fmt: skip


def orders_of(seller, day):
    """3 to 12 orders, in the order of their time."""
    chance = random.Random(f"{seller['sid']} {day.isoformat()}")
    made = [_order(seller, day, number, chance) for number in range(1, chance.randrange(4, 14))]
    return sorted(made, key=lambda order: order["purchase_date_local"])


def orders(first, last, sids):
    """Of the days `first` to `last` without `last`; of all sellers if `sids` is empty."""
    days = [first + datetime.timedelta(days=count) for count in range((last - first).days)]
    sellers = [seller for seller in SELLERS if not sids or seller["sid"] in sids]
    return [order for day in days for seller in sellers for order in orders_of(seller, day)]
