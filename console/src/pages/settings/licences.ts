// The list of all packages inside. It is made when the console is built; a server of the developers may have none.

/** A package that is inside. */
export interface Package {
  name: string;
  version: string;
  licence: string;
  /** Which half it is in. */
  part: 'server' | 'console';
}

const made = import.meta.glob<Package[]>('./licences.generated.json', { import: 'default' });

/** All packages with their licences; an empty list where none was made. */
export async function packages(): Promise<Package[]> {
  const load = Object.values(made)[0];
  return load ? load() : [];
}
