"""jupyter_kernel_test over our kernel: python front-ends.py"""
import unittest

import jupyter_kernel_test


class KernelTests(jupyter_kernel_test.KernelTests):
    kernel_name = "loupe"
    language_name = "typescript"
    file_extension = ".ts"
    code_hello_world = "console.log('hello, world')"
    code_stderr = "console.error('oops')"
    completion_samples = [
        {"text": "Math.cos", "matches": {"cos", "cosh", "acos", "acosh"}},
        {"text": "clearO", "matches": {"clearOutput"}},
    ]
    complete_code_samples = ["1", "const x: number = 1;", "function f(x: number) { return x }", "for await (const t of y) {}"]
    incomplete_code_samples = ["function f(x: number) {", "const a = [1,", "`abc", "if (true) {\n  1", "/* comment", "f("]
    invalid_code_samples = ["const = 4", "1 +* 2", ")", "'abc"]
    code_generate_error = "throw new Error('x')"
    code_execute_result = [
        {"code": "1+2+3", "result": "6"},
        {"code": "[1, 2]", "result": "[ 1, 2 ]"},
        {"code": "'a'.repeat(3)", "result": "aaa"},
        {"code": "await Promise.resolve({ a: 1 })", "result": "{ a: 1 }"},
    ]
    code_display_data = [{"code": "show([1])", "mime": "text/plain"}]
    code_history_pattern = "1?2*"
    supported_history_operations = ("tail", "range", "search")
    code_inspect_sample = "parseInt"
    code_clear_output = "clearOutput()"


class WelcomeTests(jupyter_kernel_test.IopubWelcomeTests):
    kernel_name = "loupe"
    support_iopub_welcome = True


if __name__ == "__main__":
    unittest.main(verbosity=2)
