"""Access: API keys, rate limits, and checks of the site of a request.

caller       the holder of a key, with permissions
keys         the table of API keys, stored as hashes
keyring      a cache of the keys, which authenticates requests
rate_limits  the limit of requests of a key
sites        checks of the headers Host, Origin and Sec-Fetch-Site
"""
