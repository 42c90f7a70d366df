-- wrk script: GETs of one size at random places of one file. Arguments: path, range size, file size.
-- Ends with one line of JSON.

local path, size, span

function init(arguments)
  path, size, span = arguments[1], tonumber(arguments[2]), tonumber(arguments[3])
  math.randomseed(20261)
end

function request()
  local at = math.random(0, span / size - 1) * size
  return wrk.format("GET", path, { ["Range"] = string.format("bytes=%d-%d", at, at + size - 1) })
end

function done(summary, latency)
  local errors = summary.errors
  print(string.format('{"requests":%d,"bytes":%.0f,"seconds":%.6f,"p50Ms":%.3f,"p99Ms":%.3f,"failures":%d}',
    summary.requests, summary.bytes, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    errors.status + errors.connect + errors.read + errors.write + errors.timeout))
end
