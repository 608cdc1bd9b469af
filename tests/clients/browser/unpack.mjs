// Unpacks the Chromium that comes as a package, with the libraries that it needs, into the directory that is given.
import { mkdir } from "node:fs/promises";

const target = process.argv[2];
// The package unpacks into the directory for temporary files, and its libraries only where it takes us for a server
// that lacks them.
process.env.TMPDIR = target;
process.env.AWS_EXECUTION_ENV = "AWS_Lambda_nodejs22.x";
await mkdir(target, { recursive: true });
const { default: chromium } = await import("@sparticuz/chromium");
process.stdout.write(await chromium.executablePath());
