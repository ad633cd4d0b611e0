-- wrk's side of load.py: the fields and the body's pattern come from the environment; every request has its own number.
local pattern = os.getenv("BENCH_BODY")
local mark = "################"

wrk.method = "POST"
wrk.path = "/v1/chat/completions"
for name, value in string.gmatch(os.getenv("BENCH_FIELDS"), '"([^"]+)": "([^"]+)"') do
  wrk.headers[name] = value
end

local before, between, after
local number = 0

function init(_)
  wrk.headers["X-Request-Id"] = mark
  local whole = wrk.format(nil, nil, nil, string.format(pattern, mark))
  local first = string.find(whole, mark, 1, true)
  local second = string.find(whole, mark, first + #mark, true)
  before = string.sub(whole, 1, first - 1)
  between = string.sub(whole, first + #mark, second - 1)
  after = string.sub(whole, second + #mark)
end

function request()
  number = number + 1
  local id = string.format("%016x", number)
  return before .. id .. between .. id .. after
end

function done(summary, latency, _)
  local e = summary.errors
  io.write(string.format("MEASURED %d %f %d %f %f\n", summary.requests, summary.duration / 1e6,
    e.connect + e.read + e.write + e.status + e.timeout, latency:percentile(50), latency:percentile(99)))
end
