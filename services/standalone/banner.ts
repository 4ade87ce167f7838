/** What a start prints: one block that answers where it is and what to do next. */
export type Banner = {
  version: string;
  /** Absolute path. */
  dataDirectory: string;
  addresses: { grpc: string; connect: string };
  /** Commands to paste, the most useful first. */
  next: readonly string[];
};

/** The block, with an empty line before and after. */
export function bannerText(banner: Banner): string {
  const rows: [string, string][] = [
    ['data', banner.dataDirectory],
    ['gRPC', banner.addresses.grpc],
    ['Connect', banner.addresses.connect],
  ];
  const lines = [
    `Quittance ${banner.version} is ready. Ctrl-C stops it.`,
    ...rows.map(([name, value]) => `  ${name.padEnd(8)} ${value}`),
    ...banner.next.map((command, index) => `  ${(index === 0 ? 'try' : '').padEnd(8)} ${command}`),
  ];
  return `\n${lines.join('\n')}\n\n`;
}
