export interface View {
  name: string;
  /** The parameters of the address, in the order of their names: `?level=high&state=open`. */
  search: string;
}

/** What is of the moment and belongs to no view: what is open beside the table. */
const PASSING = ['open', 'cursor'];

/** The parameters of an address that make the view, always in the same order. */
export function searchOf(search: string): string {
  const params = new URLSearchParams(search);
  for (const name of PASSING) params.delete(name);
  params.sort();
  const text = params.toString();
  return text ? `?${text}` : '';
}

/** The views with one more, or with the one of that name as it is now; in the order of their names. */
export function put(views: readonly View[], view: View): View[] {
  return [...views.filter(({ name }) => name !== view.name), view].sort((a, b) => a.name.localeCompare(b.name));
}
