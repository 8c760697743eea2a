/** Ways to the sign-in page and back. */

export const LOGIN = '/login/'

/**
 * The path on this origin that `next` of the query names, or "/". Anything that
 * could lead elsewhere, or round in a circle, is not followed.
 */
export function returnPath(search: string, origin: string): string {
  const next = new URLSearchParams(search).get('next') ?? ''
  // A browser reads "//host", "/\host" and tabs within as the start of an address.
  if (!next.startsWith('/') || /[\\\u0000-\u0020]/.test(next)) return '/'
  let url: URL
  try {
    url = new URL(next, origin)
  } catch {
    return '/'
  }
  if (url.origin !== origin || url.pathname === '/login' || url.pathname.startsWith(LOGIN)) return '/'
  // The path alone: "/.//host" becomes "//host" when read.
  if (url.pathname.startsWith('//')) return '/'
  return url.pathname + url.search + url.hash
}

/** The sign-in page that comes back to where `location` is. */
export function loginAddress(location: { readonly pathname: string; readonly search: string; readonly hash: string }): string {
  const here = location.pathname + location.search + location.hash
  return here === '/' ? LOGIN : `${LOGIN}?${new URLSearchParams({ next: here }).toString()}`
}
