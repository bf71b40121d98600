/**
 * Loaded into the server's process before it starts (`node --import`): says every connection and request that arrives,
 * by Node's own diagnostics channels, so that a test knows what reached the server's port. Lines look like
 * `arrived <port> connection` and `arrived <port> GET /path`, with ` from <origin>` behind it where the request says one. What the server dials itself is
 * `left <address> <port>`.
 */
import { subscribe } from "node:diagnostics_channel";
import { IncomingMessage } from "node:http";
import { Socket } from "node:net";

const say = (socket: Socket, what: string) => process.stdout.write(`arrived ${socket.localPort} ${what}\n`);

subscribe("net.server.socket", (message) => {
  const socket = Reflect.get(Object(message), "socket");
  if (socket instanceof Socket) say(socket, "connection");
});
subscribe("net.client.socket", (message) => {
  const socket = Reflect.get(Object(message), "socket");
  if (!(socket instanceof Socket)) return;
  socket.on("connectionAttempt", (address, port) => process.stdout.write(`left ${address} ${port}\n`));
});
subscribe("http.server.request.start", (message) => {
  const request = Reflect.get(Object(message), "request");
  if (!(request instanceof IncomingMessage)) return;
  const { origin } = request.headers;
  say(request.socket, `${request.method} ${request.url}${origin === undefined ? "" : ` from ${origin}`}`);
});
