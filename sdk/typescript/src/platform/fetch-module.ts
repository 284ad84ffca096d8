import { InternalError } from '../errors.js';

/**
 * Fetches a module that the page serves.
 *
 * @throws InternalError with the URL if something else is there, such as the page that a development server answers with.
 */
export async function fetchModule(url: URL | string): Promise<Response> {
  const where = `the module of rules at ${url}`;
  const advice = "serve the file of @motif/sdk there, and exclude the package from a bundler's pre-bundling";
  let response: Response;
  try {
    response = await fetch(url);
  } catch (cause) {
    throw new InternalError(`${where} was not answered: ${advice}`, { cause });
  }
  const type = response.headers.get('content-type') ?? '';
  if (!response.ok || type.startsWith('text/')) {
    throw new InternalError(
      `${where} was answered with status ${response.status} and type ${type || 'unknown'}: ${advice}`,
    );
  }
  return response;
}
