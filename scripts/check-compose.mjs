/**
 * What can be checked of docker-compose.yml without Docker: that it is a compose file, that every variable of ours is one that
 * the services read, that everything is healthy before it is needed, pinned, and published to this machine only.
 */
import { existsSync, readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { parse } from 'yaml';

const read = (path) => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');
const problems = [];
const expect = (holds, problem) => {
  if (!holds) problems.push(problem);
};

/** Their images have no program that could look. */
const WITHOUT_SHELL = new Set(['otel-collector']);

const compose = parse(read('docker-compose.yml'), { merge: true });
const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false });
const isCompose = ajv.compile(JSON.parse(read('deploy/compose/compose-spec.json')));
expect(isCompose(compose), ajv.errorsText(isCompose.errors));

const known = new Set(read('lib/process/service-variables.ts').match(/QUITTANCE_\w+/g));
for (const file of ['doors', 'auth', 'tls', 'limits', 'console']) {
  for (const door of read(`lib/base/${file}-config.ts`).match(/QUITTANCE_\w+/g)) known.add(door);
}
const services = Object.entries(compose.services);
for (const [name, service] of services) {
  for (const variable of Object.keys(service.environment ?? {})) {
    expect(!variable.startsWith('QUITTANCE_') || known.has(variable), `${name}: nothing reads ${variable}`);
  }
  expect(
    service.restart === 'no' || service.healthcheck?.test !== undefined || WITHOUT_SHELL.has(name),
    `${name}: there is no health check`,
  );
  expect(/^[\w./-]+:v?\d+\.\d+[\w.-]*$/.test(service.image), `${name}: ${service.image} is not pinned`);
  for (const port of service.ports ?? []) {
    expect(/^127\.0\.0\.1:\d+:\d+$/.test(port), `${name}: ${port} is published beyond this machine`);
  }
  for (const [other, { condition }] of Object.entries(service.depends_on ?? {})) {
    const needed = compose.services[other];
    expect(needed !== undefined, `${name}: depends on ${other}, which is not there`);
    const wanted = needed?.restart === 'no' ? 'service_completed_successfully' : 'service_healthy';
    expect(condition === wanted, `${name}: starts before ${other} is ready`);
  }
  for (const volume of service.volumes ?? []) {
    const [source = '', , mode] = volume.split(':');
    if (source.startsWith('./')) {
      expect(existsSync(new URL(`../${source}`, import.meta.url)), `${name}: ${source} is not there`);
      expect(mode === 'ro', `${name}: ${source} may be written`);
    } else {
      expect(source in compose.volumes, `${name}: the volume ${source} is not declared`);
    }
  }
}

const [, required] =
  /export const SERVICE_VARIABLES = \[([^]*?)\]/.exec(read('lib/process/service-variables.ts')) ?? [];
const given = new Set(services.flatMap(([, { environment = {} }]) => Object.keys(environment)));
for (const variable of required?.match(/QUITTANCE_\w+/g) ?? []) {
  expect(given.has(variable), `no service is given ${variable}`);
}

const dockerfile = read('Dockerfile');
expect(/^USER node$/m.test(dockerfile), 'Dockerfile: runs as root');
expect(!/^FROM (?!node:\d+\.\d+\.\d+-)/m.test(dockerfile), 'Dockerfile: an image is not pinned');

const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, paths]) =>
  paths.split(' '),
);
const sent = read('.dockerignore').match(/(?<=^!).+$/gm) ?? [];
for (const path of copied) {
  expect(sent.includes(path), `Dockerfile: copies ${path}, which .dockerignore does not let through`);
}
const [, started] = /^CMD \["node", "(.+)"\]$/m.exec(dockerfile) ?? [];
const programs = services.map(([, { command = [] }]) =>
  command.find((word) => `${word}`.startsWith('dist/')),
);
for (const program of [started, ...programs].filter((path) => path !== undefined)) {
  const source = program.replace(/^dist\/(.+)\.js$/, '$1.ts');
  expect(existsSync(new URL(`../${source}`, import.meta.url)), `${program}: there is no ${source}`);
  expect(
    copied.some((folder) => source.startsWith(`${folder}/`)),
    `Dockerfile: builds no ${program}`,
  );
}

for (const problem of problems) process.stderr.write(`${problem}\n`);
process.stdout.write(`docker-compose.yml: ${services.length} services, ${problems.length} problems\n`);
process.exitCode = problems.length === 0 ? 0 : 1;
