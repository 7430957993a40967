import type { Snippet } from 'svelte';

import { number, t } from '$/i18n';
import type { Column } from '$/ui/table';

import { contentWords, methodWords, resultWords, type Operation } from './records';

interface Cells {
  time: Snippet<[Operation]>;
  result: Snippet<[Operation]>;
  user: Snippet<[Operation]>;
}

/** All ten fields of an operation's record, and what else it says. */
export function columns(cells: Cells): Column<Operation>[] {
  return [
    { key: 'seq', title: t('audit.seq'), width: 76, align: 'end', text: ({ seq }) => number(seq, { useGrouping: false }) },
    { key: 'tag', title: t('audit.tag'), width: 100, hidden: true, text: ({ tag }) => tag },
    { key: 'time', title: t('audit.time'), width: 164, text: ({ received }) => received, cell: cells.time, exported: ({ received }) => received },
    { key: 'operation', title: t('audit.operation'), width: 150, mono: true, group: true, text: ({ operation }) => operation, value: ({ operation }) => ({ field: 'operation', value: operation }) },
    { key: 'user_id', title: t('audit.user_id'), width: 290, mono: true, hidden: true, text: ({ actor }) => actor.id, value: ({ actor }) => ({ field: 'actor', value: actor.id }) },
    { key: 'user_name', title: t('audit.user_name'), width: 104, group: true, text: ({ actor }) => actor.name, cell: cells.user, value: ({ actor }) => ({ field: 'actor', value: actor.id }) },
    { key: 'user_group', title: t('audit.user_group'), width: 140, hidden: true, text: ({ actor }) => actor.groups.join(', ') },
    { key: 'ip', title: t('audit.ip'), width: 120, mono: true, text: ({ source }) => source.ip, value: ({ source }) => ({ field: 'ip', value: source.ip, kind: 'ip' }) },
    { key: 'method', title: t('audit.method'), width: 120, group: true, text: ({ method }) => methodWords(method), exported: ({ method }) => method },
    { key: 'result', title: t('audit.result'), width: 112, group: true, text: ({ result }) => resultWords(result), cell: cells.result, value: ({ result }) => ({ field: 'result', value: result }), exported: ({ result }) => result },
    { key: 'content', title: t('audit.content'), width: 152, grow: 2, mono: true, text: contentWords, value: ({ object }) => ({ field: 'object', value: object.id }) },
    { key: 'reason', title: t('audit.reason'), width: 260, grow: 1, hidden: true, text: ({ reason }) => reason },
    { key: 'object', title: t('audit.object_id'), width: 290, mono: true, hidden: true, text: ({ object }) => object.id, value: ({ object }) => ({ field: 'object', value: object.id }) },
    { key: 'object_kind', title: t('audit.object_kind'), width: 120, hidden: true, group: true, text: ({ object }) => object.kind },
    { key: 'sender', title: t('audit.sender'), width: 160, hidden: true, text: ({ source }) => source.sender },
    { key: 'session', title: t('audit.session'), width: 290, mono: true, hidden: true, text: ({ session }) => session },
    { key: 'request', title: t('audit.request'), width: 290, mono: true, hidden: true, text: ({ request }) => request },
  ];
}
