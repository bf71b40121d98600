/** Addresses of the server's own pages, as mails carry them. */
export type PageLinks = (path: string, query?: Readonly<Record<string, string>>) => string;

export function createPageLinks(publicUrl: URL): PageLinks {
  return (path, query = {}) => {
    const url = new URL(path, publicUrl);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    return url.href;
  };
}
