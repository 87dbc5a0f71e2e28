"""Lingxing's sign, computed as its documentation says (section 4.1) and apart from the program's own way."""

import base64
import ctypes
import ctypes.util
import hashlib
import json


class Number(str):
    """A JSON number with all its digits: it is signed as it was written."""


def parse(body):
    """The JSON text as a value; ValueError for two members of one name, too."""

    def without_doubles(pairs):
        members = dict(pairs)
        if len(members) != len(pairs):
            raise ValueError("two members of one name")
        return members

    return json.loads(body, parse_int=Number, parse_float=Number, object_pairs_hook=without_doubles)


def compact(value):
    """A value as JSON text without spaces, members in their order."""
    if isinstance(value, dict):
        return "{" + ",".join(json.dumps(k, ensure_ascii=False) + ":" + compact(v) for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(compact(each) for each in value) + "]"
    if isinstance(value, Number):
        return str(value)
    return json.dumps(value, ensure_ascii=False)


def text_of(value):
    """How a parameter's value takes part: strings as they are, the rest as JSON text."""
    return str(value) if isinstance(value, str) else compact(value)


def signed_text(parameters):
    """`parameters` is a dict, `sign` not among them. Empty strings take no part, null does."""
    texts = {name: text_of(value) for name, value in parameters.items()}
    return "&".join(f"{name}={texts[name]}" for name in sorted(texts, key=str.encode) if texts[name] != "")


def _libcrypto():
    for name in ("libcrypto.so.3", ctypes.util.find_library("crypto")):
        try:
            library = ctypes.CDLL(name)
            break
        except (OSError, TypeError):
            continue
    else:
        raise RuntimeError("no libcrypto on this system")
    pointer, number, text = ctypes.c_void_p, ctypes.c_int, ctypes.c_char_p
    library.EVP_CIPHER_CTX_new.restype = pointer
    library.EVP_CIPHER_CTX_free.argtypes = [pointer]
    library.EVP_CIPHER_CTX_free.restype = None
    library.EVP_EncryptInit_ex.argtypes = [pointer, pointer, pointer, text, text]
    library.EVP_EncryptUpdate.argtypes = [pointer, text, ctypes.POINTER(number), text, number]
    for bits in (128, 192, 256):
        getattr(library, f"EVP_aes_{bits}_ecb").restype = pointer
    return library


_CRYPTO = _libcrypto()


def aes_ecb(key, data):
    """AES-ECB with PKCS #7 padding, of which libcrypto does the blocks only."""
    if len(key) not in (16, 24, 32):
        raise ValueError("an AES key has 16, 24 or 32 bytes")
    padding = 16 - len(data) % 16
    padded = data + bytes([padding]) * padding
    out, size = ctypes.create_string_buffer(len(padded) + 32), ctypes.c_int(0)
    context = _CRYPTO.EVP_CIPHER_CTX_new()
    try:
        cipher = getattr(_CRYPTO, f"EVP_aes_{len(key) * 8}_ecb")()
        ok = (_CRYPTO.EVP_EncryptInit_ex(context, cipher, None, key, None) == 1
              and _CRYPTO.EVP_EncryptUpdate(context, out, ctypes.byref(size), padded, len(padded)) == 1)
    finally:
        _CRYPTO.EVP_CIPHER_CTX_free(context)
    if not ok or size.value != len(padded):
        raise RuntimeError("libcrypto does not encrypt")
    return out.raw[:size.value]


def sign(app_id, parameters):
    """64 characters of base64."""
    digest = hashlib.md5(signed_text(parameters).encode()).hexdigest().upper()
    return base64.b64encode(aes_ecb(app_id.encode(), digest.encode())).decode()
