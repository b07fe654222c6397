import { connect, createServer, type Socket } from 'node:net';

/**
 * A proxy in front of PostgreSQL that can cut the connection around the next statement with a word in it: before the server
 * gets it, or when the server has run it and answers.
 */
export async function createCutter(databaseUrl: string) {
  const target = new URL(databaseUrl);
  const sockets = new Set<Socket>();
  let cut: { word: string; when: 'before' | 'after' } | undefined;
  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname);
    let dropReply = false;
    const end = () => {
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', end).on('close', end);
    }
    client.on('data', (data) => {
      const found = cut !== undefined && data.includes(cut.word) ? cut : undefined;
      if (found) cut = undefined;
      if (found?.when === 'before') return end();
      if (found) dropReply = true;
      if (!upstream.destroyed) upstream.write(data);
    });
    upstream.on('data', (data) => {
      if (dropReply) end();
      else client.write(data);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = new URL(target);
  url.hostname = '127.0.0.1';
  url.port = String((server.address() as { port: number }).port);
  return {
    url: url.href,
    cutNext: (word: string, when: 'before' | 'after') => {
      cut = { word, when };
    },
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
