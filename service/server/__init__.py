"""The service as processes.

serving   one or several that listen, answer, and leave without dropping anything
workers   several processes that do the same: started, replaced, stopped together
stopping  the time between the signal to stop and the end
garbage   when Python's garbage collector looks
"""
