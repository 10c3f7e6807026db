// The target has only headers; the package manager asks for one source file.
#include "onnxruntime_abi.h"
#include "openvino_abi.h"
