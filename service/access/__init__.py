"""Access: API keys, rate limits, and checks of the site of a request.

keys         API keys, stored as hashes, and their holders
keyring      a cache of the keys, which authenticates requests
usage        the use of each key, by day
rate_limits  the limit of requests of a key
sites        checks of the headers Host, Origin and Sec-Fetch-Site
"""
