// Where one is: the address holds everything that makes a view, so that it can be shared and gone back to.

class Place {
  path = $state(window.location.pathname);
  search = $state(window.location.search);
  readonly params = $derived(new URLSearchParams(this.search));
}

const place = new Place();

/** The path and the parameters of the page, to read from. */
export const here: { readonly path: string; readonly search: string; readonly params: URLSearchParams } = place;

function read() {
  place.path = window.location.pathname;
  place.search = window.location.search;
}

window.addEventListener('popstate', read);

export type Params = Record<string, string | number | boolean | readonly string[] | null | undefined>;

/** An address below this site. What is null, undefined, false or empty is left out; lists are joined by commas. */
export function href(path: string, params: Params = {}): string {
  const search = new URLSearchParams();
  put(search, params);
  const text = search.toString();
  return text ? `${path}?${text}` : path;
}

function put(search: URLSearchParams, params: Params) {
  for (const [name, value] of Object.entries(params)) {
    const text = Array.isArray(value) ? value.join(',') : value === true ? '1' : String(value || value === 0 ? value : '');
    if (text) search.set(name, text);
    else search.delete(name);
  }
}

/** Goes to an address of this site. `replace` leaves no step to go back to. */
export function go(to: string, { replace = false } = {}) {
  const current = window.location.pathname + window.location.search;
  if (to === current) return;
  const leaves = to.split('?')[0] !== window.location.pathname;
  window.history[replace ? 'replaceState' : 'pushState'](null, '', to);
  read();
  if (leaves) window.scrollTo(0, 0);
}

/** Changes some parameters of this page and keeps the others. By default no step to go back to is made. */
export function change(params: Params, { replace = true } = {}) {
  const search = new URLSearchParams(window.location.search);
  put(search, params);
  const text = search.toString();
  go(text ? `${window.location.pathname}?${text}` : window.location.pathname, { replace });
}

/** A parameter of this page, or the empty text. Reactive. */
export function param(name: string): string {
  return place.params.get(name) ?? '';
}

/** A parameter that is a list. Reactive. */
export function list(name: string): string[] {
  return param(name).split(',').filter(Boolean);
}

/** Lets links within the console change the page without loading it. */
export function followLinks(event: MouseEvent) {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const link = (event.target as Element | null)?.closest?.('a');
  if (!link || link.target || link.hasAttribute('download') || link.origin !== window.location.origin) return;
  if (link.dataset.server !== undefined || link.getAttribute('href')?.startsWith('#')) return;
  event.preventDefault();
  go(link.pathname + link.search);
}
