"""Our service compared with peers and hand-written servers on the same model file, loaded by wrk, on one core.

run            the cases, in their order
specs          the servers, the payloads, and the requests to each server
apps           hand-written servers and the usual FastAPI services
model          the model file as a function, for every server but ours
peers/         other serving frameworks, each in its environment
environments   those environments, and programs of the system
servers        a running server, its answers and its processes
load           wrk: requests per second, latency, processor time, round by round
instructions   instructions per request
profiling      processor time of a request by purpose
measurements   the measurements, ratios within them, and goals
report         tables and a figure
"""
