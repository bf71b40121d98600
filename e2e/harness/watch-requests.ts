/**
 * Loaded into the server's process before it starts (`node --import`): says every connection and request that arrives,
 * by Node's own diagnostics channels, so that a test knows what reached the server's port. Lines look like
 * `arrived <port> connection` and `arrived <port> GET /path`.
 */
import { subscribe } from "node:diagnostics_channel";
import { IncomingMessage } from "node:http";
import { Socket } from "node:net";

const say = (socket: Socket, what: string) => process.stdout.write(`arrived ${socket.localPort} ${what}\n`);

subscribe("net.server.socket", (message) => {
  const socket = Reflect.get(Object(message), "socket");
  if (socket instanceof Socket) say(socket, "connection");
});
subscribe("http.server.request.start", (message) => {
  const request = Reflect.get(Object(message), "request");
  if (request instanceof IncomingMessage) say(request.socket, `${request.method} ${request.url}`);
});
