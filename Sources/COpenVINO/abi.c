#include "openvino_abi.h"
