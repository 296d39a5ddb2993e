//! Machine code of a compute shader for an AMD GPU, by Mesa's Vulkan driver (RADV).
//!
//! With `RADV_FORCE_FAMILY` set the driver compiles for a GPU that is not in the machine; it executes nothing then.

use std::{collections::HashMap, ffi::CStr};

use ash::{khr::pipeline_executable_properties as executable, vk};
use naga::{
    ShaderStage,
    back::{pipeline_constants::process_overrides, spv},
    proc::{BoundsCheckPolicies, BoundsCheckPolicy},
    valid::{Capabilities, ValidationFlags, Validator},
};

/// What to do where the driver is missing.
const INSTALL: &str =
    "there is no Mesa driver for AMD GPUs: `apt-get install mesa-vulkan-drivers libvulkan1` installs it";

/// The driver, opened for the GPU that `RADV_FORCE_FAMILY` names.
pub(crate) struct Radv {
    // Holds the library that all handles belong to.
    _entry: ash::Entry,
    instance: ash::Instance,
    device: ash::Device,
    /// Bytes of workgroup memory and invocations of a workgroup at most.
    pub(crate) limits: [u32; 2],
    /// "Mesa 22.3.6": other versions make other code.
    pub(crate) version: String,
}

/// A compiled shader.
pub(crate) struct Compiled {
    /// The compiler's own numbers, by name.
    pub(crate) statistics: HashMap<String, u64>,
    pub(crate) assembly: String,
    /// Invocations of a subgroup.
    pub(crate) subgroup: u32,
}

impl Radv {
    /// Opens the driver.
    ///
    /// # Errors
    ///
    /// A sentence that says what is missing and how to install it.
    pub(crate) fn open() -> Result<Radv, String> {
        // SAFETY: the calls follow Vulkan's rules: `instance` outlives `device`, and `Drop` destroys both once.
        unsafe {
            let entry = ash::Entry::load().map_err(|e| format!("{INSTALL} ({e})"))?;
            let application = vk::ApplicationInfo::default().api_version(vk::API_VERSION_1_3);
            let info = vk::InstanceCreateInfo::default().application_info(&application);
            let instance = entry.create_instance(&info, None).map_err(|e| format!("{INSTALL} ({e})"))?;
            let found =
                instance.enumerate_physical_devices().unwrap_or_default().into_iter().find(|device| {
                    let properties = instance.get_physical_device_properties(*device);
                    properties
                        .device_name_as_c_str()
                        .is_ok_and(|name| name.to_string_lossy().contains("RADV"))
                });
            let Some(physical) = found else {
                instance.destroy_instance(None);
                return Err(INSTALL.to_owned());
            };
            let mut driver = vk::PhysicalDeviceDriverProperties::default();
            let mut properties = vk::PhysicalDeviceProperties2::default().push_next(&mut driver);
            instance.get_physical_device_properties2(physical, &mut properties);
            let limits = properties.properties.limits;
            let version = driver.driver_info_as_c_str().map(|info| info.to_string_lossy().into_owned());
            let version =
                version.unwrap_or_default().split_whitespace().take(2).collect::<Vec<_>>().join(" ");
            let queues = [vk::DeviceQueueCreateInfo::default().queue_priorities(&[1.0])];
            let mut wanted = vk::PhysicalDevicePipelineExecutablePropertiesFeaturesKHR::default()
                .pipeline_executable_info(true);
            let extensions = [executable::NAME.as_ptr()];
            let info = vk::DeviceCreateInfo::default()
                .queue_create_infos(&queues)
                .enabled_extension_names(&extensions)
                .push_next(&mut wanted);
            let device = instance.create_device(physical, &info, None).map_err(|e| {
                instance.destroy_instance(None);
                format!("the driver does not show its machine code: {e}")
            })?;
            let limits = [limits.max_compute_shared_memory_size, limits.max_compute_work_group_invocations];
            Ok(Radv { _entry: entry, instance, device, limits, version })
        }
    }

    /// Compiles the entry point `main` with some constants.
    ///
    /// # Errors
    ///
    /// What naga or the driver refuses.
    pub(crate) fn compile(&self, source: &str, constants: &[(&str, f64)]) -> Result<Compiled, String> {
        let code = spirv(source, constants)?;
        // SAFETY: every handle is made from the device that `self` keeps alive and is destroyed once, behind its last use; pointers
        // in the structs point to values that live until the end of the call that reads them.
        unsafe {
            let info = vk::ShaderModuleCreateInfo::default().code(&code);
            let module = self.device.create_shader_module(&info, None).map_err(|e| e.to_string())?;
            let sets = self.sets(source).map_err(|e| e.to_string())?;
            let info = vk::PipelineLayoutCreateInfo::default().set_layouts(&sets);
            let layout = self.device.create_pipeline_layout(&info, None).map_err(|e| e.to_string())?;
            let stage = vk::PipelineShaderStageCreateInfo::default()
                .stage(vk::ShaderStageFlags::COMPUTE)
                .module(module)
                .name(c"main");
            let keep = vk::PipelineCreateFlags::CAPTURE_STATISTICS_KHR
                | vk::PipelineCreateFlags::CAPTURE_INTERNAL_REPRESENTATIONS_KHR;
            let info = [vk::ComputePipelineCreateInfo::default().stage(stage).layout(layout).flags(keep)];
            let made = self.device.create_compute_pipelines(vk::PipelineCache::null(), &info, None);
            let compiled = match made {
                Ok(pipelines) => {
                    let compiled = self.shown(pipelines[0]);
                    self.device.destroy_pipeline(pipelines[0], None);
                    compiled
                }
                Err((_, error)) => Err(error),
            };
            self.device.destroy_pipeline_layout(layout, None);
            sets.iter().for_each(|set| self.device.destroy_descriptor_set_layout(*set, None));
            self.device.destroy_shader_module(module, None);
            compiled.map_err(|e| format!("the driver refuses the shader: {e}"))
        }
    }

    /// The bindings that a source declares.
    ///
    /// # Safety
    ///
    /// The caller destroys what is returned while the device lives.
    unsafe fn sets(&self, source: &str) -> Result<Vec<vk::DescriptorSetLayout>, vk::Result> {
        let set = |group: u32| {
            let mut bindings = Vec::new();
            for binding in 0..16 {
                let words = format!("@group({group}) @binding({binding})");
                let Some(at) = source.find(&words) else { continue };
                let uniform = source[at..].lines().next().is_some_and(|line| line.contains("uniform"));
                let kind = if uniform {
                    vk::DescriptorType::UNIFORM_BUFFER
                } else {
                    vk::DescriptorType::STORAGE_BUFFER
                };
                let binding =
                    vk::DescriptorSetLayoutBinding::default().binding(binding).descriptor_type(kind);
                bindings.push(binding.descriptor_count(1).stage_flags(vk::ShaderStageFlags::COMPUTE));
            }
            let info = vk::DescriptorSetLayoutCreateInfo::default().bindings(&bindings);
            // SAFETY: the device lives as long as `self`.
            unsafe { self.device.create_descriptor_set_layout(&info, None) }
        };
        (0..4).map(set).collect()
    }

    /// Statistics and assembly of a pipeline.
    ///
    /// # Safety
    ///
    /// The pipeline belongs to this device and was made with both capture flags.
    unsafe fn shown(&self, pipeline: vk::Pipeline) -> Result<Compiled, vk::Result> {
        let functions = executable::Device::new(&self.instance, &self.device);
        let which = vk::PipelineExecutableInfoKHR::default().pipeline(pipeline);
        // SAFETY: as the caller promises; texts have the sizes that the driver reported in the call before.
        unsafe {
            let mut statistics = HashMap::new();
            for one in functions.get_pipeline_executable_statistics(&which)? {
                if one.format == vk::PipelineExecutableStatisticFormatKHR::UINT64 {
                    let name = CStr::from_ptr(one.name.as_ptr()).to_string_lossy().into_owned();
                    statistics.insert(name, one.value.u64);
                }
            }
            let get = functions.fp().get_pipeline_executable_internal_representations_khr;
            let mut count = 0;
            get(self.device.handle(), &raw const which, &raw mut count, std::ptr::null_mut()).result()?;
            let mut found = vec![vk::PipelineExecutableInternalRepresentationKHR::default(); count as usize];
            get(self.device.handle(), &raw const which, &raw mut count, found.as_mut_ptr()).result()?;
            let mut texts: Vec<Vec<u8>> = found.iter().map(|one| vec![0; one.data_size]).collect();
            for (one, text) in found.iter_mut().zip(&mut texts) {
                one.p_data = text.as_mut_ptr().cast();
            }
            get(self.device.handle(), &raw const which, &raw mut count, found.as_mut_ptr()).result()?;
            let assembly = found
                .iter()
                .zip(&texts)
                .find(|(one, _)| CStr::from_ptr(one.name.as_ptr()).to_string_lossy().contains("ssembly"));
            let text = assembly.map(|(_, text)| String::from_utf8_lossy(text).replace('\0', ""));
            let properties = functions
                .get_pipeline_executable_properties(&vk::PipelineInfoKHR::default().pipeline(pipeline))?;
            let subgroup = properties.first().map_or(64, |one| one.subgroup_size);
            Ok(Compiled { statistics, assembly: text.unwrap_or_default(), subgroup })
        }
    }
}

impl Drop for Radv {
    fn drop(&mut self) {
        // SAFETY: nothing made from the device is left; it goes before its instance.
        unsafe {
            self.device.destroy_device(None);
            self.instance.destroy_instance(None);
        }
    }
}

/// SPIR-V as wgpu makes it where the driver has robust buffer access: storage is not checked, everything else is.
fn spirv(source: &str, constants: &[(&str, f64)]) -> Result<Vec<u32>, String> {
    let module = naga::front::wgsl::parse_str(source).map_err(|e| e.emit_to_string(source))?;
    let info = Validator::new(ValidationFlags::all(), Capabilities::empty()).validate(&module);
    let info = info.map_err(|e| e.emit_to_string(source))?;
    let constants = constants.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect();
    let entry = Some((ShaderStage::Compute, "main"));
    let (module, info) = process_overrides(&module, &info, entry, &constants).map_err(|e| e.to_string())?;
    let options = spv::Options {
        flags: spv::WriterFlags::empty(),
        bounds_check_policies: BoundsCheckPolicies {
            index: BoundsCheckPolicy::Restrict,
            buffer: BoundsCheckPolicy::Unchecked,
            ..BoundsCheckPolicies::default()
        },
        // wgpu lets the driver clear workgroup memory, once and outside of all loops.
        zero_initialize_workgroup_memory: spv::ZeroInitializeWorkgroupMemoryMode::None,
        ..spv::Options::default()
    };
    let pipeline =
        spv::PipelineOptions { shader_stage: ShaderStage::Compute, entry_point: "main".to_owned() };
    spv::write_vec(&module, &info, &options, Some(&pipeline)).map_err(|e| e.to_string())
}
