// What can be done from everywhere: by the palette, the menu of the account, or keys.

import { choose, locale, t } from '$/i18n';
import { go } from '$/routing/router.svelte';
import { prefs, type Density, type Theme } from '$/state/prefs.svelte';
import type { IconName } from '$/ui/icons';

export interface Action {
  name: string;
  words: string;
  icon: IconName;
  keys?: string;
  /** It is one of several, and this one is chosen, or not. */
  checked?: boolean;
  /** It begins another group. */
  line?: boolean;
  run: () => void;
}

/** Ends the session. A form, because the answer takes the cookie away and leads to the login. */
export function logOut() {
  const form = document.createElement('form');
  form.method = 'post';
  form.action = '/logout';
  document.body.append(form);
  form.submit();
}

/** All of them, in the words of the language. */
export function actions(): Action[] {
  const themes: [Theme, IconName][] = [['light', 'sun'], ['dark', 'moon'], ['auto', 'settings']];
  const densities: Density[] = ['compact', 'cozy', 'comfortable'];
  const other = locale() === 'en' ? 'zh-CN' : 'en';
  return [
    { name: 'settings', words: t('nav.settings'), icon: 'settings', run: () => go('/settings') },
    ...themes.map(([theme, icon], index): Action => ({
      name: `theme ${theme}`, words: t(`frame.theme_${theme}`), icon, checked: prefs.theme === theme, line: index === 0, run: () => prefs.set('theme', theme),
    })),
    ...densities.map((density, index): Action => ({
      name: `density ${density}`, words: t(`frame.density_${density}`), icon: 'table', checked: prefs.density === density, line: index === 0,
      run: () => prefs.set('density', density),
    })),
    { name: 'language', words: t('frame.other_language'), icon: 'language', line: true, run: () => choose(other) },
    { name: 'zone', words: t(prefs.zone === 'UTC' ? 'frame.zone_local' : 'frame.zone_utc'), icon: 'clock', run: () => prefs.set('zone', prefs.zone === 'UTC' ? 'local' : 'UTC') },
    { name: 'logout', words: t('frame.log_out'), icon: 'external', line: true, run: logOut },
  ];
}
