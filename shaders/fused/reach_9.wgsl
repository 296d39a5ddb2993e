// The largest window, in rows and columns.
const REACH: i32 = 9;
