// How much of what people answered and did is proved, only said, or not known: of rows of the roll, in figures.

export const isProven = (h) => h.strength === "code" || h.strength === "acted", isSaid = (h) => h.strength === "read";

// people of these villages: registered = proven + unproven + gone; null where nobody has to prove a move, or
// nobody has said anything yet. unsafe: of those not reached, who are upstairs where that is not safe
export function moves(rows) {
  const sums = rows.map((r) => r.transfers).filter(Boolean), add = (what) => sums.reduce((n, s) => n + s[what], 0);
  if (!sums.length) return null;
  // of whom nobody has said anything nobody is known to have moved
  const unheard = rows.filter((r) => r.action && !r.transfers).reduce((n, r) => n + r.should, 0);
  return { proven: add("proven"), unproven: add("unproven"), gone: add("not_reached") + unheard, unsafe: add("unsafe") };
}

// of all who must answer with a code; null where nobody has to
export function woken(rows) {
  const all = rows.flatMap((r) => r.heard || []), proven = all.filter(isProven).length, said = all.filter(isSaid).length;
  return all.length ? { proven, said, silent: all.length - proven - said } : null;
}
