"""Our service compared with peers and hand-written servers on the same model file, loaded by wrk, on one core.

run            the cases, ratios within the measurements, goals, tables and a figure
specs          the servers, their environments, the payloads, and the requests to each server
apps           hand-written servers and the usual FastAPI services
model          the model file as a function, for every server but ours
peers/         other serving frameworks
servers        a running server and its answers; wrk: requests per second, latency, processor time, round by round
instructions   instructions per request, and processor time by purpose
"""
