/** The toybox programs that touch files, with toybox's words, on the phone's own storage. */
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { posix } from "node:path";
import { asFileError, FileError, isDirectory } from "../device-files.ts";
import type { Command, CommandIo } from "../shell-stub.ts";
import { type ProgramContext, type Programs, parse } from "./context.ts";

export function filePrograms({ phone, files }: ProgramContext): Programs {
  /** Does something with every path and goes on after what fails. */
  const each =
    (work: (io: CommandIo, path: string, flags: ReadonlySet<string>) => void): Command =>
    (io) => {
      const { flags, rest } = parse(io.args, ["-c", "-m", "-d"]);
      let code = 0;
      for (const path of rest) {
        try {
          work(io, path, flags);
        } catch (error) {
          io.err(`${io.name}: ${path}: ${asFileError(error).message}\n`);
          code = 1;
        }
      }
      return code;
    };
  const has = (flags: ReadonlySet<string>, letter: string) => [...flags].some((flag) => flag.slice(1).includes(letter));
  const sizeOf = (path: string): number => {
    const stats = files.stat(path);
    if (!isDirectory(stats)) return Number(stats.size);
    return files.list(path).reduce((sum, name) => sum + sizeOf(`${path}/${name}`), 0);
  };
  const line = (path: string, name: string) => {
    const stats = files.stat(path);
    const when = new Date(Number(stats.mtimeMs)).toISOString().slice(0, 16).replace("T", " ");
    const mode = isDirectory(stats) ? "drwxrws---" : "-rw-rw----";
    return `${mode} ${stats.nlink} u0_a123 media_rw ${String(stats.size).padStart(10)} ${when} ${name}\n`;
  };
  const target = (from: string, to: string) => {
    try {
      return isDirectory(files.stat(to)) ? `${to}/${posix.basename(from)}` : to;
    } catch {
      return to;
    }
  };
  const two =
    (work: (from: string, to: string) => void): Command =>
    (io) => {
      const { rest } = parse(io.args, []);
      const [from, to] = rest;
      if (from === undefined || to === undefined) {
        io.err(`${io.name}: Needs 2 arguments (see "${io.name} --help")\n`);
        return 1;
      }
      try {
        files.stat(from);
        work(files.real(from, io.name === "mv"), files.real(target(from, to), true));
        return 0;
      } catch (error) {
        io.err(`${io.name}: ${from}: ${asFileError(error).message}\n`);
        return 1;
      }
    };
  const digest = (algorithm: "md5" | "sha256") =>
    each((io, path) => {
      // APKs are not kept, but what they came to is.
      const apk = algorithm === "sha256" ? phone.packages.all().find((one) => one.path === path)?.sha256 : undefined;
      const sum =
        apk ||
        createHash(algorithm)
          .update(readFileSync(files.real(path)))
          .digest("hex");
      io.out(`${sum}  ${path}\n`);
    });

  return {
    ls: (io) => {
      const { flags, rest } = parse(io.args, []);
      const show = each((_, path) => {
        const stats = files.stat(path);
        const plain = has(flags, "d") || !isDirectory(stats);
        const names = plain ? [path] : files.list(path).filter((name) => has(flags, "a") || !name.startsWith("."));
        if (!plain && rest.length > 1) io.out(`${path}:\n`);
        if (!plain && has(flags, "l")) io.out("total 0\n");
        for (const name of names) io.out(has(flags, "l") ? line(plain ? path : `${path}/${name}`, name) : `${name}\n`);
      });
      return show(rest.length === 0 ? { ...io, args: ["/"] } : io);
    },
    cat: async (io) => {
      if (io.args.length > 0)
        return each((_, path) => {
          if (isDirectory(files.stat(path))) throw new FileError("EISDIR");
          io.out(readFileSync(files.real(path)));
        })(io);
      for await (const chunk of io.stdin()) io.out(chunk);
      return 0;
    },
    rm: each((_, path, flags) => {
      const recursive = has(flags, "r") || has(flags, "R");
      try {
        if (isDirectory(files.stat(path)) && !recursive) throw new FileError("EISDIR");
        const real = files.real(path, true);
        if (/^\/(?:sdcard|data\/local\/tmp)$/.test(files.normal(path))) throw new FileError("EACCES");
        rmSync(real, { recursive });
      } catch (error) {
        if (!has(flags, "f") || asFileError(error).code !== "ENOENT") throw error;
      }
    }),
    mkdir: each((_, path, flags) => {
      mkdirSync(files.real(path, true), { recursive: has(flags, "p") });
    }),
    touch: each((_, path) => {
      const now = new Date();
      const real = files.real(path, true);
      writeFileSync(real, "", { flag: "a" });
      utimesSync(real, now, now);
    }),
    chmod: (io) => each((_, path) => void files.stat(path))({ ...io, args: io.args.slice(1) }),
    stat: (io) => {
      const { values } = parse(io.args, ["-c"]);
      return each((_, path) => {
        const stats = files.stat(path);
        const words: Readonly<Record<string, string>> = {
          s: String(stats.size),
          n: path,
          Y: String(stats.mtimeMs / 1000n),
          F: isDirectory(stats) ? "directory" : "regular file",
          a: (Number(stats.mode) & 0o777).toString(8),
        };
        const format = values.get("-c");
        io.out(
          format === undefined
            ? `  File: ${path}\n  Size: ${stats.size}\t Blocks: ${stats.blocks}\t ${words["F"]}\n`
            : `${format.replace(/%([snYFa])/g, (_whole, letter: string) => words[letter] ?? "")}\n`,
        );
      })(io);
    },
    du: each((io, path, flags) => {
      const size = sizeOf(path);
      const blocks = has(flags, "b") ? size : Math.ceil(size / 1024);
      io.out(`${blocks}\t${path}\n`);
    }),
    mv: two((from, to) => renameSync(from, to)),
    cp: two((from, to) => cpSync(from, to, { recursive: true })),
    md5sum: digest("md5"),
    sha256sum: digest("sha256"),
    df: (io) => {
      const { total, free } = files.space();
      const k = (bytes: number) => String(Math.floor(bytes / 1024)).padStart(10);
      io.out("Filesystem      1K-blocks       Used  Available Use% Mounted on\n");
      const used = total - free;
      io.out(
        `/dev/fuse      ${k(total)} ${k(used)} ${k(free)} ${Math.round((100 * used) / total)}% /storage/emulated\n`,
      );
      return 0;
    },
    find: each((io, path) => {
      const show = (at: string) => {
        io.out(`${at}\n`);
        if (isDirectory(files.stat(at))) for (const name of files.list(at)) show(`${at}/${name}`);
      };
      show(path);
    }),
    realpath: each((io, path) => {
      statSync(files.real(path));
      io.out(`${files.normal(path)}\n`);
    }),
  };
}
