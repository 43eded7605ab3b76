"""Who may ask, and how often.

caller       who asks, and what they may do
keys         API keys: made once, shown once, kept as a hash
keyring      who a key belongs to, without asking the database for each request
rate_limits  how often one key may ask
sites        by which names the service may be addressed, and which web pages may ask it
"""
