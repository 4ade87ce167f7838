/** How many accounts one inner call of the script writes: Lua can unpack some thousands of arguments. */
const CHUNK_ACCOUNTS = 500;

/**
 * Writes the states that a batch left accounts with, and moves the checkpoint, if the partition still stands
 * where the caller believes. KEYS: rows, order. ARGV: the checkpoint as the caller knows it, the one to move
 * to, then key and row of each account. Answers the checkpoint that the partition is at now: the one moved
 * to, or another, and then nothing was changed; nil if the partition is not there.
 *
 * Whether events are new, missed or lost is judged by the caller, from the checkpoint: a judgement in Lua
 * would be a second one. A row begins with its version. Versions are compared as texts: a Lua number is exact
 * up to 2^53 only, a version has up to 19 digits. Decimal texts without sign and leading zeros order by
 * length, then by their bytes.
 */
export const applyLua = `
local at = redis.call('HGET', KEYS[1], '@')
if at ~= ARGV[1] then return at end
local function version(row) return string.match(row, '^%d+') end
local function isNewer(one, other)
  if #one ~= #other then return #one > #other end
  return one > other
end
for first = 3, #ARGV, ${String(2 * CHUNK_ACCOUNTS)} do
  local keys = {}
  for index = first, math.min(first + ${String(2 * CHUNK_ACCOUNTS - 2)}, #ARGV), 2 do keys[#keys + 1] = ARGV[index] end
  local known = redis.call('HMGET', KEYS[1], unpack(keys))
  local written, added = {}, {}
  for index, key in ipairs(keys) do
    local row, old = ARGV[first + 2 * index - 1], known[index]
    if not old then
      added[#added + 1] = '0'
      added[#added + 1] = key
    end
    if not old or isNewer(version(row), version(old)) then
      written[#written + 1] = key
      written[#written + 1] = row
    end
  end
  if #written > 0 then redis.call('HSET', KEYS[1], unpack(written)) end
  if #added > 0 then redis.call('ZADD', KEYS[2], unpack(added)) end
end
redis.call('HSET', KEYS[1], '@', ARGV[2])
return ARGV[2]`;
