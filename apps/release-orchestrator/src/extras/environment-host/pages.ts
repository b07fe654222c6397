import { extname } from 'node:path';
import { pack } from '../../services/archive.ts';
import { filesFolder } from '../../services/artifact.ts';
import { type ConfigValues, configHash } from '../../services/config-values.ts';
import { sha256 } from '../../services/digests.ts';
import { pathProblem } from '../../services/names.ts';
import type { Deployed, Served } from '../../services.ts';
import type { Configs } from './configs.ts';
import { problemIn, type Versions } from './versions.ts';

const types: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.txt': 'text/plain; charset=utf-8',
};

const placeholder = /\{\{\s*([a-z][A-Za-z0-9]*)\s*\}\}/g;

/** What a deployable answers, out of the files of its version and the values of its configuration. */
export class Pages {
  readonly #versions: Versions;
  readonly #configs: Configs;

  constructor(versions: Versions, configs: Configs) {
    this.#versions = versions;
    this.#configs = configs;
  }

  /**
   * A file as it is served: in HTML, each `{{name}}` is filled in. Undefined if there is none.
   * @throws MissingValue if the configuration does not have what the page needs
   */
  async page(deployed: Deployed, path: string): Promise<{ body: Buffer; type: string } | undefined> {
    const file = path === '' || path.endsWith('/') ? `${path}index.html` : path;
    if (pathProblem(file)) return undefined;
    const content = await this.#versions.file(deployed.artifact, file);
    if (!content) return undefined;
    const type = types[extname(file).toLowerCase()] ?? 'application/octet-stream';
    if (extname(file) !== '.html') return { body: content, type };
    const values = (await this.#configs.read(deployed.config)) ?? {};
    return { body: Buffer.from(fill(String(content), values)), type };
  }

  /** What is really there, worked out from the bytes, and whether a visitor would get every page of it. */
  async look(deployed: Deployed): Promise<Served> {
    const [files, values] = await Promise.all([
      this.#versions.read(deployed.artifact),
      this.#configs.read(deployed.config),
    ]);
    const artifact = sha256(pack(files));
    const config = values ? configHash(values) : sha256('');
    const wrong = problemIn(deployed.artifact, files);
    const reason = wrong ? `The version ${wrong}` : values ? unfilled(files, values) : 'The configuration is not there';
    return { artifact, config, isHealthy: reason === undefined, ...(reason !== undefined && { reason }) };
  }
}

/** A page asks for a value that the configuration does not have. */
export class MissingValue extends Error {
  override name = 'MissingValue';
}

function fill(html: string, values: ConfigValues): string {
  return html.replace(placeholder, (_, name: string) => {
    if (!Object.hasOwn(values, name)) throw new MissingValue(`The configuration has no value ${name}`);
    return escaped(values[name] ?? '');
  });
}

function unfilled(files: Map<string, Buffer>, values: ConfigValues): string | undefined {
  for (const [path, content] of files) {
    if (extname(path) !== '.html') continue;
    for (const [, name = ''] of String(content).matchAll(placeholder)) {
      if (!Object.hasOwn(values, name)) {
        return `${path.slice(filesFolder.length)} needs the value ${name}, which the configuration does not have`;
      }
    }
  }
  return undefined;
}

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
const escaped = (text: string): string => text.replace(/[&<>"']/g, (one) => entities[one] ?? one);
