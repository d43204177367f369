/*
 * PRIORITY_CLASS(ident, word, from, to) - the priorities that are paused together, as operators name them; the upper one goes to the high
 * queue of a lane (LANE_HIGH).
 */
PRIORITY_CLASS(LOW,    "low",    0, 3)
PRIORITY_CLASS(NORMAL, "normal", 4, 6)
PRIORITY_CLASS(HIGH,   "high",   7, 10)
