import { Header } from 'tar';

/** One entry of an archive, as somebody hostile might write it. */
export interface Entry {
  path: string;
  content?: string;
  type?: 'File' | 'SymbolicLink' | 'Link' | 'CharacterDevice' | 'Directory' | 'ExtendedHeader';
  linkpath?: string;
  mode?: number;
  mtime?: Date;
  /** Said in the header; the content's own otherwise. */
  size?: number;
}

/** An archive with these entries, whatever they are. */
export function tarOf(...entries: Entry[]): Buffer {
  const parts = entries.flatMap(({ content = '', ...entry }) => {
    const header = Buffer.alloc(512);
    const size = Buffer.byteLength(content);
    const facts = { type: 'File', mode: 0o644, uid: 0, gid: 0, mtime: new Date(0), size, ...entry } as const;
    new Header(facts).encode(header, 0);
    return [header, Buffer.from(content), Buffer.alloc((512 - (size % 512)) % 512)];
  });
  return Buffer.concat([...parts, Buffer.alloc(1024)]);
}
