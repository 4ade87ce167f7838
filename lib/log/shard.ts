/** The shard of this installation: positions, tokens and events name it, so that there can be more of them one day. */
export const SHARD = 0;
