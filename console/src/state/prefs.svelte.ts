// What somebody chose for this browser. Kept in the browser only; nothing of it is secret.

export type Theme = 'auto' | 'light' | 'dark';
export type Density = 'compact' | 'cozy' | 'comfortable';
/** `local` is the browser's zone. */
export type Zone = 'local' | 'UTC' | (string & {});

/** Reads something that was kept; `or` where there is nothing, or nothing that can be read. */
export function kept<T>(name: string, or: T): T {
  try {
    const text = localStorage.getItem(`garrison.${name}`);
    return text === null ? or : (JSON.parse(text) as T);
  } catch {
    return or;
  }
}

/** Keeps something; a browser that keeps nothing loses it with the page. */
export function keep(name: string, value: unknown) {
  try {
    localStorage.setItem(`garrison.${name}`, JSON.stringify(value));
  } catch {
    // Private windows and full disks: the choice lasts as long as the page.
  }
}

class Prefs {
  theme = $state<Theme>(kept('theme', 'auto'));
  density = $state<Density>(kept('density', 'cozy'));
  zone = $state<Zone>(kept('zone', 'local'));
  navCollapsed = $state<boolean>(kept('nav', false));

  /** Changes a choice, shows it, and keeps it. */
  set<K extends 'theme' | 'density' | 'zone' | 'navCollapsed'>(name: K, value: Prefs[K]) {
    (this as Prefs)[name] = value;
    keep(name === 'navCollapsed' ? 'nav' : name, value);
    this.show();
  }

  /** Puts what is chosen onto the page. */
  show() {
    document.documentElement.dataset.theme = this.theme;
    document.documentElement.dataset.density = this.density;
  }
}

export const prefs = new Prefs();
