// The target has only headers; the package manager requires a source file.
#include "onnxruntime_abi.h"
