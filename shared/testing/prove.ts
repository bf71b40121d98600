/** How many times more a property is tried by `npm run prove` than by `npm test`. */
export const PROVE_TIMES = Number(process.env["PROVE_TIMES"] ?? 1);
