"""SHIM."""


def remember(pairs):
    pass


def find(sha256):
    return None


def found_beside(folder, wanted):
    return {}
