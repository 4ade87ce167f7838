/** How many accounts one inner call of the script writes: Lua can unpack some thousands of arguments. */
const CHUNK_ACCOUNTS = 500;

/**
 * What both scripts share: `writeRows` writes the keys and rows that ARGV has from an index on, each only over an
 * older one; `afterLetters` answers the index after as many dead letters as ARGV says at an index, `writeLetters` writes
 * their positions and texts.
 *
 * Redis takes nothing back of a script that fails. Only the rows can fail, so they come first: then no letter is lost
 * whose event was not applied.
 *
 * A row begins with its version. Versions are compared as texts: a Lua number is exact up to 2^53 only, a version
 * has up to 19 digits. Decimal texts without sign and leading zeros order by length, then by their bytes.
 */
const functions = `
local function version(row) return string.match(row, '^%d+') end
local function isNewer(one, other)
  if #one ~= #other then return #one > #other end
  return one > other
end
local function writeRows(from)
  for first = from, #ARGV, ${String(2 * CHUNK_ACCOUNTS)} do
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
end
local function afterLetters(at) return at + 2 * tonumber(ARGV[at]) + 1 end
local function writeLetters(at)
  for index = at + 1, afterLetters(at) - 1, 2 do redis.call('HSET', KEYS[3], ARGV[index], ARGV[index + 1]) end
end`;

/**
 * Writes the states that a batch left accounts with and the letters of what it parks, and moves the checkpoint, if
 * the partition still stands where the caller believes. KEYS: rows, order, letters. ARGV: the checkpoint as the
 * caller knows it, the one to move to, the number of letters, position and text of each, then key and row of each
 * account. Answers the checkpoint that the partition is at now: the one moved to, or another, and then nothing was
 * changed; nil if the partition is not there.
 *
 * Whether events are new, missed or lost is judged by the caller, from the checkpoint: a judgement in Lua
 * would be a second one.
 */
export const applyLua = `
local at = redis.call('HGET', KEYS[1], '@')
if at ~= ARGV[1] then return at end
${functions}
writeRows(afterLetters(3))
writeLetters(3)
redis.call('HSET', KEYS[1], '@', ARGV[2])
return ARGV[2]`;

/**
 * Writes the states that parked events left accounts with and takes these events from the letters, if what is parked
 * is as the caller believes, wherever the checkpoint stands. KEYS: rows, order, letters. ARGV: how the text of the
 * checkpoint ends, and how it is to end; the number of letters to change, position and text of each; the number of
 * positions to remove, these; then key and row of each account. Answers 1; the checkpoint if it ends in another way,
 * and then nothing was changed; nil if the partition is not there.
 */
export const unparkLua = `
local at = redis.call('HGET', KEYS[1], '@')
if not at then return at end
local place, parked = string.match(at, '^([^ ]* [^ ]* [^ ]* [^ ]* [^ ]*)(.*)$')
if parked ~= ARGV[1] then return at end
${functions}
local count = afterLetters(3)
local last = count + tonumber(ARGV[count])
writeRows(last + 1)
writeLetters(3)
for index = count + 1, last do redis.call('HDEL', KEYS[3], ARGV[index]) end
redis.call('HSET', KEYS[1], '@', place .. ARGV[2])
return 1`;
