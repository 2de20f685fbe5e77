// From a shader's text and its constants to a pipeline, with whatever is wrong told as file, line and column.

import type { Assembly } from './assembly.js';
import { type Access, type Binding, bindingsOf } from './bindings.js';
import { ShaderError } from './errors.js';
import type { Gpu } from './gpu.js';

export interface Kernel {
  /** File name without .wgsl. */
  readonly name: string;
  /** It, and the files that it is assembled with. */
  readonly files: readonly string[];
  readonly bindings: readonly Binding[];
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
}

export type Constants = Readonly<Record<string, number>>;

/** Throws ShaderError where the text is no shader. */
export async function checkModule(gpu: Gpu, assembly: Assembly): Promise<GPUShaderModule> {
  gpu.check();
  const { source } = assembly;
  gpu.device.pushErrorScope('validation');
  const module = gpu.device.createShaderModule({ label: assembly.files.join(' + '), code: source });
  const scope = gpu.device.popErrorScope();
  const { messages } = await gpu.orStuck(module.getCompilationInfo());
  await scope; // the same complaint again, without a place
  const error = messages.find(({ type }) => type === 'error');
  if (!error) return module;
  const line = source.split('\n')[error.lineNum - 1] ?? '';
  const pointer = `${' '.repeat(Math.max(0, error.linePos - 1))}^`;
  const at = assembly.place(error.lineNum);
  throw new ShaderError(
    `${at.file}.wgsl:${at.line}:${error.linePos}: ${error.message}\n  ${line}\n  ${pointer}\n` +
      'The shader was not put to use; mend the line and try again.',
  );
}

const LAYOUTS: Readonly<Record<Access, Partial<GPUBindGroupLayoutEntry>>> = {
  uniform: { buffer: { type: 'uniform' } },
  read: { buffer: { type: 'read-only-storage' } },
  write: { buffer: { type: 'storage' } },
  texture: { storageTexture: { access: 'read-only', format: 'rgba32uint' } },
};

/** Throws ShaderError where it cannot be run. */
export async function compile(gpu: Gpu, assembly: Assembly, constants: Constants): Promise<Kernel> {
  const { files, source } = assembly;
  const [name] = files;
  const module = await checkModule(gpu, assembly);
  const bindings = bindingsOf(source);
  const { layout, pipelineLayout } = await gpu
    .scoped(`the bindings of ${name}.wgsl`, () => {
      const layout = gpu.device.createBindGroupLayout({
        label: name,
        entries: bindings.map(({ index, access }) => ({
          binding: index,
          visibility: GPUShaderStage.COMPUTE,
          ...LAYOUTS[access],
        })),
      });
      return { layout, pipelineLayout: gpu.device.createPipelineLayout({ bindGroupLayouts: [layout] }) };
    })
    .catch(error => {
      gpu.check();
      const numbers = bindings.map(binding => `${binding.index} ${binding.name}`).join(', ');
      const reason = error instanceof Error ? error.message.split('\n')[0] : String(error);
      throw new ShaderError(
        `${name}.wgsl cannot run with the bindings ${numbers}: ${reason} The shader was not put to use; give each a number of its own.`,
      );
    });
  try {
    const made = gpu.device.createComputePipelineAsync({
      label: `${name} ${JSON.stringify(constants)}`,
      layout: pipelineLayout,
      compute: { module, entryPoint: 'main', constants },
    });
    const pipeline = await gpu.orStuck(made);
    return { name, files, bindings, pipeline, layout };
  } catch (error) {
    gpu.check();
    const reason = error instanceof Error ? error.message : String(error);
    if (/Entry point ""?main""? doesn't exist/.test(reason))
      throw new ShaderError(
        `${name}.wgsl has no entry point 'main', which the file has as @compute @workgroup_size(…) fn main(…). The shader was not put to use.`,
      );
    throw new ShaderError(
      `${name}.wgsl cannot run with the constants ${JSON.stringify(constants)}: ${reason.trim()} ` +
        'The shader was not put to use; its overrides, bindings and entry point `main` must stay as the file has them.',
    );
  }
}
