-- Posts one body again and again, and tells at the end what came of it, as one line of JSON.
-- Arguments: a file with the body, then headers, each as "Name: text".

function init(arguments)
  local file = assert(io.open(arguments[1], "rb"))
  wrk.method, wrk.body = "POST", file:read("*a")
  file:close()
  for index = 2, #arguments do
    local name, text = arguments[index]:match("^(.-): (.*)$")
    wrk.headers[name] = text
  end
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '{"requests": %d, "seconds": %.6f, "p50": %.6f, "p99": %.6f, "refused": %d, "broken": %d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e6, latency:percentile(99) / 1e6,
    errors.status, errors.connect + errors.read + errors.write + errors.timeout
  ))
end
