/** A dialog begins at the first field of its form, not at the button that closes it. */
export function atFirst(form: HTMLElement) {
  form.querySelector('input')?.setAttribute('autofocus', '');
}
