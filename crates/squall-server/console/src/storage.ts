// What the browser remembers for its user: the theme and a name. Storage may
// be forbidden; then it is forgotten with the page.

export function remembered(key: string): string {
  try {
    return localStorage.getItem(`squall.${key}`) ?? "";
  } catch {
    return "";
  }
}

export function remember(key: string, value: string): void {
  try {
    if (value === "") localStorage.removeItem(`squall.${key}`);
    else localStorage.setItem(`squall.${key}`, value);
  } catch {
    // See above.
  }
}
