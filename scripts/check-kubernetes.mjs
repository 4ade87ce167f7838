/**
 * What can be checked of deploy/kubernetes without a cluster: that every object is what its kind says (by the schemas of
 * Kubernetes), that every variable of ours is one that the services read, that probes, limits and disruption budgets are there,
 * and that selectors find the pods they mean. Where kubectl is installed, that kustomize puts it together.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { parseAllDocuments } from 'yaml';

const FOLDER = new URL('../deploy/kubernetes/', import.meta.url);
const read = (path) => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');
const problems = [];
const expect = (holds, problem) => {
  if (!holds) problems.push(problem);
};

const files = readdirSync(FOLDER).filter((name) => name.endsWith('.yaml'));
const documents = files.flatMap((file) =>
  parseAllDocuments(readFileSync(new URL(file, FOLDER), 'utf8')).map((document) => {
    for (const error of document.errors) problems.push(`${file}: ${error.message}`);
    return { file, object: document.toJS() };
  }),
);
const kustomization = documents.find(({ object }) => object.kind === 'Kustomization')?.object;
const objects = documents.filter(({ object }) => object.kind !== 'Kustomization');

for (const file of files) {
  const isListed = file === 'kustomization.yaml' || kustomization.resources.includes(file);
  expect(isListed, `${file} is not in kustomization.yaml`);
}
for (const { file, object } of objects) await checkSchema(file, object);
checkVariables();
const deployments = ofKind('Deployment');
expect(deployments.length === 3, 'there are three deployments: command, projector and query');
for (const deployment of deployments) checkDeployment(deployment);
checkKustomize();

if (problems.length > 0) {
  console.log(problems.join('\n'));
  process.exit(1);
}
console.log(`deploy/kubernetes: ${objects.length} objects are well-formed and fit together`);

function ofKind(kind) {
  return objects.map(({ object }) => object).filter((object) => object.kind === kind);
}

async function checkSchema(file, object) {
  const name = `${file}: ${object.kind} ${object.metadata?.name}`;
  let model;
  try {
    model = (await import(`kubernetes-models/${object.apiVersion}/${object.kind}`))[object.kind];
  } catch {
    problems.push(`${name}: Kubernetes has no ${object.kind} of ${object.apiVersion}`);
    return;
  }
  try {
    new model(object).validate();
  } catch (error) {
    problems.push(`${name}: ${error.message}`);
  }
}

function checkVariables() {
  const known = new Set(read('lib/process/service-variables.ts').match(/QUITTANCE_\w+/g));
  for (const file of ['doors', 'auth', 'tls', 'limits', 'console']) {
    for (const door of read(`lib/base/${file}-config.ts`).match(/QUITTANCE_\w+/g)) known.add(door);
  }
  const [config] = ofKind('ConfigMap');
  const [secret] = ofKind('Secret');
  const set = [...Object.keys(config.data), ...Object.keys(secret.stringData)];
  for (const { spec } of ofKind('Deployment'))
    set.push(
      ...spec.template.spec.containers.flatMap(({ env = [] }) =>
        env.map(({ name }) => name).filter((name) => name.startsWith('QUITTANCE_')),
      ),
    );
  for (const name of set) expect(known.has(name), `nothing reads ${name}`);
}

function checkDeployment({ metadata: { name }, spec }) {
  const { labels } = spec.template.metadata;
  const finds = (selector) => Object.entries(selector).every(([label, value]) => labels[label] === value);
  expect(finds(spec.selector.matchLabels), `${name}: the deployment does not select its own pods`);
  const service = ofKind('Service').find(({ metadata }) => metadata.name === name);
  expect(service !== undefined && finds(service.spec.selector), `${name}: no service leads to its pods`);
  const budget = ofKind('PodDisruptionBudget').find(({ metadata }) => metadata.name === name);
  expect(budget !== undefined && finds(budget.spec.selector.matchLabels), `${name}: no disruption budget`);
  expect(spec.replicas >= 2, `${name}: one pod does not survive the loss of a node`);
  for (const container of spec.template.spec.containers) {
    const ports = new Set(container.ports.map((port) => port.name));
    for (const probe of ['startupProbe', 'readinessProbe', 'livenessProbe']) {
      expect(ports.has(container[probe]?.httpGet?.port), `${name}: no ${probe} on a port of its own`);
    }
    for (const { targetPort } of service?.spec.ports ?? [])
      expect(ports.has(targetPort), `${name}: the service leads to no port ${targetPort}`);
    expect(container.resources?.limits?.memory !== undefined, `${name}: no limit of memory`);
    const { securityContext: security = {} } = container;
    expect(security.readOnlyRootFilesystem && !security.allowPrivilegeEscalation, `${name}: not restricted`);
  }
}

function checkKustomize() {
  const { error, status, stdout, stderr } = spawnSync('kubectl', ['kustomize', FOLDER.pathname], {
    encoding: 'utf8',
  });
  if (error !== undefined) {
    console.log('kubectl is not installed: kustomize is not tried');
    return;
  }
  expect(status === 0, `kustomize: ${stderr}`);
  const made = parseAllDocuments(stdout).map((document) => document.toJS());
  expect(made.length === objects.length, `kustomize makes ${made.length} objects of ${objects.length}`);
  const namespaced = made.filter(({ kind }) => kind !== 'Namespace');
  expect(
    namespaced.every(({ metadata }) => metadata.namespace === kustomization.namespace),
    'kustomize leaves objects outside of the namespace',
  );
}
