// What one does with a table of the console.

import { en } from './words.mjs';

export class Table {
  constructor(page, label) {
    this.page = page;
    this.grid = page.getByRole('grid', { name: label, exact: true });
    /** The rows that are drawn, without the head. */
    this.rows = this.grid.getByRole('row').filter({ has: page.getByRole('gridcell') });
  }

  /** How many rows there are, drawn or not. */
  async count() {
    return Number(await this.grid.getAttribute('aria-rowcount')) - 1;
  }

  /** The rows with this text. */
  with(text) {
    return this.rows.filter({ hasText: text });
  }

  /** The titles of the columns, as they stand there. */
  heads() {
    return this.grid.getByRole('columnheader').allInnerTexts();
  }

  /** The texts of the rows that are drawn, cell by cell, in their order on the screen. */
  texts() {
    return this.grid.evaluate((grid) =>
      [...grid.querySelectorAll('[role="row"][aria-rowindex]')]
        .filter((row) => row.querySelector('[role="gridcell"]'))
        .toSorted((a, b) => Number(a.ariaRowIndex) - Number(b.ariaRowIndex))
        .map((row) => [...row.querySelectorAll('[role="gridcell"]')].map((cell) => cell.innerText.trim())),
    );
  }

  /** The cell of a row under a title. */
  async cell(row, title) {
    const head = this.grid.getByRole('columnheader', { name: title, exact: true });
    return row.locator(`[role=gridcell][aria-colindex="${await head.getAttribute('aria-colindex')}"]`);
  }

  /** Opens a row, by a click where no link is. */
  open(row) {
    const cells = row.getByRole('gridcell').filter({ hasNot: this.page.getByRole('checkbox') });
    return cells.first().click({ position: { x: 4, y: 4 } });
  }

  /** Chooses from the menu of a cell. */
  async choose(row, title, item) {
    const cell = await this.cell(row, title);
    await cell.click({ button: 'right', position: { x: 4, y: 4 } });
    await this.page.getByRole('menuitem', { name: item }).click();
  }

  /** Takes a row into the selection, or out of it. */
  select(row) {
    return row.getByRole('checkbox').click();
  }

  selectAll() {
    return this.grid.getByRole('checkbox', { name: en('ui.select_all') }).click();
  }
}
