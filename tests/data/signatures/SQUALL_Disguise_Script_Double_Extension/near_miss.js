export function preview(file) { return file.name; }
