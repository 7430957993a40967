// Every page of the console, with what can be open on it.

const MINUTES = 60_000;

/** What pages are about: one of each. */
export async function things(stage, page) {
  const first = async (path) => (await stage.api(page, path)).items[0];
  const alert = await first('/alert?query=ip%3A203.0.113.24');
  const [event] = await stage.rows(page, { query: 'cache.php', from: '1h', limit: 1 });
  const at = Date.parse(event.received);
  return {
    alert: alert.id,
    rule: alert.rule,
    event: event.id,
    around: `from=${new Date(at - MINUTES).toISOString()}&to=${new Date(at + MINUTES).toISOString()}`,
    person: (await first('/person')).id,
    record: (await first('/audit?operation=source:create')).seq,
    review: (await first('/review')).id,
    node: stage.given.shop,
  };
}

/** Each with a name, its address, and what is to be done for it to show what it is about; `t` has the words. */
export function pages(thing) {
  const button = (key, values) => (page, t) => page.getByRole('main').getByRole('button', { name: t(key, values), exact: true }).first().click();
  const row = (page) => page.getByRole('row').filter({ has: page.getByRole('gridcell') }).first();
  const search = `/search?${thing.around}`;
  return [
    { name: 'home', path: '/' },
    { name: 'home-demo', path: '/?demo=1' },
    { name: 'missing', path: '/there/is/nothing' },
    ...frame(),

    { name: 'alerts', path: '/alerts' },
    { name: 'alerts-filtered', path: '/alerts?query=host%3Aweb-1&levels=high,medium&from=30d&assignee=nobody' },
    { name: 'alerts-none', path: '/alerts?query=host%3Anone' },
    { name: 'alerts-grouped', path: '/alerts?group=level' },
    { name: 'alerts-selected', path: '/alerts', open: (page, t) => page.getByRole('checkbox', { name: t('ui.select_all') }).click() },
    { name: 'alert-flyout', path: `/alerts?open=${thing.alert}` },
    { name: 'alert-close', path: `/alerts?open=${thing.alert}`, open: (page) => page.keyboard.press('s') },
    { name: 'alert', path: `/alerts/${thing.alert}` },
    {
      name: 'cell-menu', path: '/alerts',
      open: (page) => row(page).getByRole('gridcell').nth(1).click({ button: 'right', position: { x: 4, y: 4 } }),
    },

    { name: 'search', path: search },
    { name: 'search-split', path: `${search}&by=host` },
    { name: 'search-raw', path: `${search}&view=raw` },
    { name: 'search-event', path: `${search}&query=cache.php&open=${thing.event}` },
    { name: 'search-none', path: `${search}&query=host%3Anone` },
    { name: 'search-sql', path: `${search}&mode=sql&sql=SELECT%20host%2C%20count(*)%20AS%20n%20FROM%20logs%20GROUP%20BY%20host` },
    { name: 'search-sql-empty', path: '/search?mode=sql' },
    { name: 'search-live', path: '/search?live=1&from=1h' },
    { name: 'search-saved', path: `${search}&query=host%3Aweb-1`, open: button('search.saved') },
    { name: 'search-columns', path: search, open: button('ui.columns') },
    { name: 'search-time', path: search, open: (page) => page.locator('main button[popovertarget]').click() },

    { name: 'detections', path: '/detections' },
    { name: 'detections-matrix', path: '/detections?view=matrix' },
    { name: 'detections-table', path: '/detections?view=matrix&as=table' },
    { name: 'rule', path: `/detections/${thing.rule}` },
    { name: 'rule-test', path: `/detections/${thing.rule}?tab=test`, open: button('detections.take_last') },
    { name: 'rule-alerts', path: `/detections/${thing.rule}?tab=alerts` },
    { name: 'rule-source', path: `/detections/${thing.rule}?tab=source` },

    { name: 'sources', path: '/sources' },
    { name: 'sources-table', path: '/sources?view=table' },
    { name: 'source-create', path: '/sources?new=1' },
    { name: 'source', path: '/sources/shop' },
    { name: 'source-new', path: '/sources/syslog' },
    { name: 'source-change', path: '/sources/shop', open: button('sources.change') },

    { name: 'address', path: '/address/203.0.113.24' },
    { name: 'host', path: '/host/web-1' },
    { name: 'user', path: '/user/deploy' },
    { name: 'user-acts', path: '/user/anna?tab=acts' },
    { name: 'address-alerts', path: '/address/203.0.113.24?tab=alerts' },
    { name: 'address-events', path: '/address/203.0.113.24?tab=events' },

    { name: 'audit', path: '/audit' },
    { name: 'audit-flyout', path: `/audit?operation=source%3Acreate&record=${thing.record}` },
    { name: 'record', path: `/audit/${thing.record}` },
    { name: 'record-proof', path: `/audit/${thing.record}?proof=1` },
    { name: 'reviews', path: '/reviews' },
    { name: 'review', path: `/reviews/${thing.review}` },
    {
      name: 'review-note', path: `/reviews/${thing.review}`,
      open: async (page) => {
        await row(page).getByRole('checkbox').click();
        await page.keyboard.press('n');
      },
    },

    { name: 'people', path: '/people' },
    ...['groups', 'services', 'posts'].map((tab) => ({ name: `people-${tab}`, path: `/people?tab=${tab}` })),
    ...['people', 'groups', 'services', 'posts'].map((tab) => ({ name: `people-new-${tab}`, path: `/people?tab=${tab}&new=1` })),
    { name: 'person', path: `/people/${thing.person}` },
    { name: 'person-sessions', path: `/people/${thing.person}?tab=sessions` },
    { name: 'person-invite', path: `/people/${thing.person}`, open: button('people.invite') },
    { name: 'tree', path: '/tree' },
    { name: 'tree-history', path: `/tree?at=${thing.node}&tab=history` },
    { name: 'tree-new', path: `/tree?at=${thing.node}`, open: button('tree.create') },
    { name: 'tree-found', path: '/tree?text=shop' },

    ...['appearance', 'sessions', 'tokens', 'password', 'configuration', 'health', 'about']
      .map((part) => ({ name: `settings-${part}`, path: `/settings/${part}` })),
    { name: 'settings-token', path: '/settings/tokens', open: button('people.create_token') },
  ];
}

/** What the frame itself opens. */
function frame() {
  const palette = async (page, t) => {
    await page.keyboard.press('ControlOrMeta+k');
    await page.getByRole('combobox', { name: t('frame.palette') }).fill('web');
  };
  const account = (page) => page.getByRole('banner').locator('button[aria-haspopup=menu]').click();
  return [
    { name: 'palette', path: '/', open: palette },
    { name: 'keys', path: '/alerts', open: (page) => page.keyboard.press('?') },
    { name: 'account-menu', path: '/', open: account },
  ];
}
