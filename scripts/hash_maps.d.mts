/** The lines of a template that are for a kind, with what its names stand for. */
export function fill(template: string, kind: Readonly<Record<string, string>>): string;
/** What each of the files should hold. */
export function hashMaps(): { readonly file: string; readonly text: string }[];
