"""How Feishu seals and signs what it sends: AES-256-CBC by OpenSSL's libcrypto, and plain digests."""

import base64
import ctypes
import ctypes.util
import hashlib
import os

BLOCK = 16


def _load():
    for name in (ctypes.util.find_library("crypto"), "libcrypto.so.3", "libcrypto.so"):
        try:
            library = ctypes.CDLL(name) if name else None
        except OSError:
            continue
        if library:
            break
    else:
        raise RuntimeError("there is no libcrypto on this machine")
    library.EVP_CIPHER_CTX_new.restype = ctypes.c_void_p
    library.EVP_aes_256_cbc.restype = ctypes.c_void_p
    return library


_CRYPTO = _load()


def aes_256_cbc(key, iv, data, encrypt):
    """Without padding; `data` is whole blocks."""
    assert len(key) == 32 and len(iv) == BLOCK and len(data) % BLOCK == 0
    context = ctypes.c_void_p(_CRYPTO.EVP_CIPHER_CTX_new())
    out, size, rest = ctypes.create_string_buffer(len(data) + BLOCK), ctypes.c_int(0), ctypes.c_int(0)
    try:
        cipher = ctypes.c_void_p(_CRYPTO.EVP_aes_256_cbc())
        good = _CRYPTO.EVP_CipherInit_ex(context, cipher, None, key, iv, int(encrypt))
        good = good and _CRYPTO.EVP_CIPHER_CTX_set_padding(context, 0)
        good = good and _CRYPTO.EVP_CipherUpdate(context, out, ctypes.byref(size), data, len(data))
        after = ctypes.byref(out, size.value)
        good = good and _CRYPTO.EVP_CipherFinal_ex(context, after, ctypes.byref(rest))
        if good != 1:
            raise ValueError("libcrypto refuses")
        return out.raw[:size.value + rest.value]
    finally:
        _CRYPTO.EVP_CIPHER_CTX_free(context)


def seal(encrypt_key, plain, iv=None):
    """The text of the member "encrypt": base64 of IV and ciphertext."""
    iv = iv or os.urandom(BLOCK)
    padding = BLOCK - len(plain) % BLOCK
    key = hashlib.sha256(encrypt_key.encode()).digest()
    return base64.b64encode(iv + aes_256_cbc(key, iv, plain + bytes([padding]) * padding, True)).decode()


def unseal(encrypt_key, text):
    blob = base64.b64decode(text, validate=True)
    if len(blob) < 2 * BLOCK:
        raise ValueError("too short")
    key = hashlib.sha256(encrypt_key.encode()).digest()
    plain = aes_256_cbc(key, blob[:BLOCK], blob[BLOCK:], False)
    padding = plain[-1]
    if not 1 <= padding <= BLOCK or plain[-padding:] != bytes([padding]) * padding:
        raise ValueError("the padding is wrong: another key, or other bytes")
    return plain[:-padding]


def sign_event(timestamp, nonce, encrypt_key, body):
    """X-Lark-Signature of events and new callbacks."""
    return hashlib.sha256((timestamp + nonce + encrypt_key).encode() + body).hexdigest()


def sign_card(timestamp, nonce, verification_token, body):
    """X-Lark-Signature of card.action.trigger_v1."""
    return hashlib.sha1((timestamp + nonce + verification_token).encode() + body).hexdigest()
