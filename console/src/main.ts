import './tokens.css';
import './base.css';

import { mount } from 'svelte';

import App from './App.svelte';
import Broken from './frame/Broken.svelte';
import { asProblem } from './api/problem';
import { load, preferred } from './i18n';
import { recognise } from './state/me.svelte';
import { prefs } from './state/prefs.svelte';

async function start(target: HTMLElement) {
  prefs.show();
  const words = load(preferred());
  try {
    await Promise.all([words, recognise()]);
  } catch (error) {
    await words;
    const problem = asProblem(error);
    // Whoever is not logged in is on the way to the login already.
    if (problem.status !== 401) mount(Broken, { target, props: { problem } });
    return;
  }
  mount(App, { target });
}

const target = document.getElementById('app');
if (target) void start(target);
