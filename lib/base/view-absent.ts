/**
 * What every adapter throws while a view, or the generation that it was asked for, is not there: its store has lost it, it is
 * built, or another generation has taken its place. The same call may succeed later.
 */
export class ViewAbsent extends Error {}
