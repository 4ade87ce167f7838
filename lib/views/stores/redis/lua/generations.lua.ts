/**
 * The registry of a view's generations, a hash. Fields: `serving`, the number of the one that serves; `last`,
 * the greatest number given; for each generation `made:<number>` or, while its keys are being removed,
 * `removed:<number>`, with the number of its partitions.
 */

/** Seconds from 1970 to 2025: numbers that begin there fit an int32 until 2093. */
const START_S = 1_735_689_600;

/**
 * Registers a generation and answers its number. KEYS: registry. ARGV: partitions; the greatest number that
 * the caller has ever seen. Numbers begin at the seconds since 2025 and not at 1: a process that still reads
 * a generation of a registry that was lost must not take another one for it.
 */
export const addGenerationLua = `
local last = tonumber(redis.call('HGET', KEYS[1], 'last') or 0)
local seconds = tonumber(redis.call('TIME')[1]) - ${String(START_S)}
local number = string.format('%d', math.max(last + 1, tonumber(ARGV[2]) + 1, seconds))
redis.call('HSET', KEYS[1], 'last', number, 'made:' .. number, ARGV[1])
return number`;

/**
 * Points readers to a generation; 1 if done. KEYS: registry. ARGV: number; and, where it matters which one
 * served before, its number, empty for none.
 */
export const serveGenerationLua = `
if redis.call('HEXISTS', KEYS[1], 'made:' .. ARGV[1]) == 0 then return 0 end
if ARGV[2] and (redis.call('HGET', KEYS[1], 'serving') or '') ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], 'serving', ARGV[1])
return 1`;

/**
 * Takes a generation that does not serve from the list, and says how many partitions it has; nil otherwise.
 * KEYS: registry. ARGV: number.
 */
export const removeGenerationLua = `
if redis.call('HGET', KEYS[1], 'serving') == ARGV[1] then return false end
local partitions = redis.call('HGET', KEYS[1], 'made:' .. ARGV[1])
if not partitions then return false end
redis.call('HDEL', KEYS[1], 'made:' .. ARGV[1])
redis.call('HSET', KEYS[1], 'removed:' .. ARGV[1], partitions)
return partitions`;
