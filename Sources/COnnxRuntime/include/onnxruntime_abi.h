// The part of ONNX Runtime's C ABI that Apus calls.
//
// The runtime exports one symbol, OrtGetApiBase, which returns a table of function pointers. The table only grows at its
// end, so a function has the same position (slot) in every version that has it. Each call below states its slot;
// `Scripts/check-abi.sh` compares all of them with the official header.
#ifndef APUS_ONNXRUNTIME_ABI_H
#define APUS_ONNXRUNTIME_ABI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct OrtEnv OrtEnv;
typedef struct OrtStatus OrtStatus;
typedef struct OrtSession OrtSession;
typedef struct OrtSessionOptions OrtSessionOptions;
typedef struct OrtRunOptions OrtRunOptions;
typedef struct OrtValue OrtValue;
typedef struct OrtMemoryInfo OrtMemoryInfo;
typedef struct OrtAllocator OrtAllocator;
typedef struct OrtTypeInfo OrtTypeInfo;
typedef struct OrtTensorTypeAndShapeInfo OrtTensorTypeAndShapeInfo;
typedef struct OrtModelMetadata OrtModelMetadata;
typedef struct OrtEpAssignedSubgraph OrtEpAssignedSubgraph;
typedef struct OrtEpAssignedNode OrtEpAssignedNode;

typedef struct OrtTable {
    void *slots[1];
} OrtTable;

typedef struct OrtBase {
    const OrtTable *(*GetApi)(uint32_t version);
    const char *(*GetVersionString)(void);
} OrtBase;

typedef const OrtBase *(*OrtGetBase)(void);

typedef void (*OrtLogFunction)(
    void *parameter, int32_t severity, const char *category, const char *log_id, const char *location,
    const char *message);

// `names` lists the arguments again, because C cannot extract them from a parameter list.
#define ORT_SLOT(slot, result, function, names, ...)                            \
    static inline result Ort##function(const OrtTable *table, __VA_ARGS__) {    \
        return ((result(*)(__VA_ARGS__))table->slots[slot]) names;              \
    }

ORT_SLOT(1, int32_t, GetErrorCode, (status), const OrtStatus *status)
ORT_SLOT(2, const char *, GetErrorMessage, (status), const OrtStatus *status)
ORT_SLOT(93, void, ReleaseStatus, (status), OrtStatus *status)

// Environment and providers
ORT_SLOT(4, OrtStatus *, CreateEnvWithCustomLogger, (function, parameter, severity, log_id, out),
         OrtLogFunction function, void *parameter, int32_t severity, const char *log_id, OrtEnv **out)
ORT_SLOT(6, OrtStatus *, DisableTelemetryEvents, (env), const OrtEnv *env)
ORT_SLOT(125, OrtStatus *, GetAvailableProviders, (out, count), char ***out, int32_t *count)
ORT_SLOT(126, OrtStatus *, ReleaseAvailableProviders, (providers, count), char **providers, int32_t count)

// Session options
ORT_SLOT(10, OrtStatus *, CreateSessionOptions, (out), OrtSessionOptions **out)
ORT_SLOT(100, void, ReleaseSessionOptions, (options), OrtSessionOptions *options)
ORT_SLOT(13, OrtStatus *, SetSessionExecutionMode, (options, mode), OrtSessionOptions *options, int32_t mode)
ORT_SLOT(14, OrtStatus *, EnableProfiling, (options, prefix), OrtSessionOptions *options, const char *prefix)
ORT_SLOT(22, OrtStatus *, SetSessionLogSeverityLevel, (options, severity),
         OrtSessionOptions *options, int32_t severity)
ORT_SLOT(23, OrtStatus *, SetSessionGraphOptimizationLevel, (options, level),
         OrtSessionOptions *options, int32_t level)
ORT_SLOT(24, OrtStatus *, SetIntraOpNumThreads, (options, count), OrtSessionOptions *options, int32_t count)
ORT_SLOT(124, OrtStatus *, AddFreeDimensionOverrideByName, (options, name, value),
         OrtSessionOptions *options, const char *name, int64_t value)
ORT_SLOT(130, OrtStatus *, AddSessionConfigEntry, (options, key, value),
         OrtSessionOptions *options, const char *key, const char *value)
ORT_SLOT(216, OrtStatus *, SessionOptionsAppendExecutionProvider, (options, provider, keys, values, count),
         OrtSessionOptions *options, const char *provider, const char *const *keys, const char *const *values,
         size_t count)

// Session
ORT_SLOT(7, OrtStatus *, CreateSession, (env, path, options, out),
         const OrtEnv *env, const char *path, const OrtSessionOptions *options, OrtSession **out)
ORT_SLOT(8, OrtStatus *, CreateSessionFromArray, (env, bytes, count, options, out),
         const OrtEnv *env, const void *bytes, size_t count, const OrtSessionOptions *options, OrtSession **out)
ORT_SLOT(95, void, ReleaseSession, (session), OrtSession *session)
ORT_SLOT(30, OrtStatus *, SessionGetInputCount, (session, out), const OrtSession *session, size_t *out)
ORT_SLOT(31, OrtStatus *, SessionGetOutputCount, (session, out), const OrtSession *session, size_t *out)
ORT_SLOT(32, OrtStatus *, SessionGetOverridableInitializerCount, (session, out),
         const OrtSession *session, size_t *out)
ORT_SLOT(33, OrtStatus *, SessionGetInputTypeInfo, (session, index, out),
         const OrtSession *session, size_t index, OrtTypeInfo **out)
ORT_SLOT(34, OrtStatus *, SessionGetOutputTypeInfo, (session, index, out),
         const OrtSession *session, size_t index, OrtTypeInfo **out)
ORT_SLOT(36, OrtStatus *, SessionGetInputName, (session, index, allocator, out),
         const OrtSession *session, size_t index, OrtAllocator *allocator, char **out)
ORT_SLOT(37, OrtStatus *, SessionGetOutputName, (session, index, allocator, out),
         const OrtSession *session, size_t index, OrtAllocator *allocator, char **out)
ORT_SLOT(38, OrtStatus *, SessionGetOverridableInitializerName, (session, index, allocator, out),
         const OrtSession *session, size_t index, OrtAllocator *allocator, char **out)
ORT_SLOT(110, OrtStatus *, SessionEndProfiling, (session, allocator, out),
         OrtSession *session, OrtAllocator *allocator, char **out)

// Types and shapes
ORT_SLOT(55, OrtStatus *, CastTypeInfoToTensorInfo, (info, out),
         const OrtTypeInfo *info, const OrtTensorTypeAndShapeInfo **out)
ORT_SLOT(60, OrtStatus *, GetTensorElementType, (info, out), const OrtTensorTypeAndShapeInfo *info, int32_t *out)
ORT_SLOT(61, OrtStatus *, GetDimensionsCount, (info, out), const OrtTensorTypeAndShapeInfo *info, size_t *out)
ORT_SLOT(62, OrtStatus *, GetDimensions, (info, values, count),
         const OrtTensorTypeAndShapeInfo *info, int64_t *values, size_t count)
ORT_SLOT(63, OrtStatus *, GetSymbolicDimensions, (info, names, count),
         const OrtTensorTypeAndShapeInfo *info, const char **names, size_t count)
ORT_SLOT(98, void, ReleaseTypeInfo, (info), OrtTypeInfo *info)
ORT_SLOT(99, void, ReleaseTensorTypeAndShapeInfo, (info), OrtTensorTypeAndShapeInfo *info)

// Tensors
ORT_SLOT(49, OrtStatus *, CreateTensorWithDataAsOrtValue, (memory, bytes, count, shape, rank, type, out),
         const OrtMemoryInfo *memory, void *bytes, size_t count, const int64_t *shape, size_t rank, int32_t type,
         OrtValue **out)
ORT_SLOT(50, OrtStatus *, IsTensor, (value, out), const OrtValue *value, int32_t *out)
ORT_SLOT(51, OrtStatus *, GetTensorMutableData, (value, out), OrtValue *value, void **out)
ORT_SLOT(65, OrtStatus *, GetTensorTypeAndShape, (value, out),
         const OrtValue *value, OrtTensorTypeAndShapeInfo **out)
ORT_SLOT(96, void, ReleaseValue, (value), OrtValue *value)
ORT_SLOT(69, OrtStatus *, CreateCpuMemoryInfo, (allocator, memory, out),
         int32_t allocator, int32_t memory, OrtMemoryInfo **out)
ORT_SLOT(94, void, ReleaseMemoryInfo, (memory), OrtMemoryInfo *memory)
ORT_SLOT(76, OrtStatus *, AllocatorFree, (allocator, pointer), OrtAllocator *allocator, void *pointer)
ORT_SLOT(78, OrtStatus *, GetAllocatorWithDefaultOptions, (out), OrtAllocator **out)

// Running
ORT_SLOT(39, OrtStatus *, CreateRunOptions, (out), OrtRunOptions **out)
ORT_SLOT(46, OrtStatus *, RunOptionsSetTerminate, (options), OrtRunOptions *options)
ORT_SLOT(97, void, ReleaseRunOptions, (options), OrtRunOptions *options)
ORT_SLOT(9, OrtStatus *, Run,
         (session, options, input_names, inputs, input_count, output_names, output_count, outputs),
         OrtSession *session, const OrtRunOptions *options, const char *const *input_names,
         const OrtValue *const *inputs, size_t input_count, const char *const *output_names, size_t output_count,
         OrtValue **outputs)

// Model metadata
ORT_SLOT(111, OrtStatus *, SessionGetModelMetadata, (session, out),
         const OrtSession *session, OrtModelMetadata **out)
ORT_SLOT(112, OrtStatus *, ModelMetadataGetProducerName, (metadata, allocator, out),
         const OrtModelMetadata *metadata, OrtAllocator *allocator, char **out)
ORT_SLOT(116, OrtStatus *, ModelMetadataLookupCustomMetadataMap, (metadata, allocator, key, out),
         const OrtModelMetadata *metadata, OrtAllocator *allocator, const char *key, char **out)
ORT_SLOT(118, void, ReleaseModelMetadata, (metadata), OrtModelMetadata *metadata)
ORT_SLOT(123, OrtStatus *, ModelMetadataGetCustomMetadataMapKeys, (metadata, allocator, out, count),
         const OrtModelMetadata *metadata, OrtAllocator *allocator, char ***out, int64_t *count)

// Which provider took which nodes. Added in API version 24: calling them on an older table reads past its end.
ORT_SLOT(407, OrtStatus *, Session_GetEpGraphAssignmentInfo, (session, out, count),
         const OrtSession *session, const OrtEpAssignedSubgraph *const **out, size_t *count)
ORT_SLOT(408, OrtStatus *, EpAssignedSubgraph_GetEpName, (subgraph, out),
         const OrtEpAssignedSubgraph *subgraph, const char **out)
ORT_SLOT(409, OrtStatus *, EpAssignedSubgraph_GetNodes, (subgraph, out, count),
         const OrtEpAssignedSubgraph *subgraph, const OrtEpAssignedNode *const **out, size_t *count)
ORT_SLOT(412, OrtStatus *, EpAssignedNode_GetOperatorType, (node, out),
         const OrtEpAssignedNode *node, const char **out)

#undef ORT_SLOT
#endif
