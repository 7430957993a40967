class Now {
  at = $state(Date.now());
}

const tick = new Now();
setInterval(() => {
  if (!document.hidden) tick.at = Date.now();
}, 1000);

/** Now, to the second; what reads it is shown again each second. */
export function now(): number {
  return tick.at;
}
